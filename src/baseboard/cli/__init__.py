"""The command line: one file a command, and a small client of the control socket.

Exit codes: 0 done; 1 it could not be done now (no instance runs, a command was refused, the disk is full);
2 the user can fix it (a flag, the configuration, a port in use); 130 interrupted. Errors are one message on
standard error. What a command imports, it imports when it runs: `baseboard run` must answer at once.
"""
