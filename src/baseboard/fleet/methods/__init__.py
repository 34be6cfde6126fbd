"""What the control socket can do, one module for each noun.

A method acts on the controller's state, through a command where a command does the same, so that the rules
are the same. It changes nothing that a command could not also see.
"""
