select;  -- Nothing yet.
