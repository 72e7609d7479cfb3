"""What a request costs, measured on the real server over real sockets."""
