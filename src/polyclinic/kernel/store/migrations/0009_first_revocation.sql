-- A new sequence says 1 before its first number and after it: without this, nobody would notice the first
-- revocation of an installation.
select nextval('revocation');
