"""One running controller, put together: state, sockets, chassis and store, and its control socket."""
