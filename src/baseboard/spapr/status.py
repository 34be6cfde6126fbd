"""Return codes of RTAS calls: signed 32-bit numbers.  [LoPAR 7.2.8]"""

from __future__ import annotations

# fmt: off
SUCCESS              =     0
NOTHING_FOUND        =     1  # check-exception, event-scan
HARDWARE_ERROR       =    -1
BUSY                 =    -2  # try again at once
NO_SUCH_INDICATOR    =    -3  # set-indicator, get-sensor-state
PARAMETER_ERROR      =    -3  # the same number elsewhere
MULTI_LEVEL          = -9000  # set-indicator: isolate what is behind; get-sensor-state: give it power
VALID_TRANSLATIONS   = -9001  # set-indicator: the operating system still maps it
NOT_AUTHORIZED       = -9002
NOT_CONFIGURABLE     = -9003  # configure-connector: unisolate it first
LENGTH_ERROR         = -9999  # ibm,get-system-parameter: not even room for the length
EXTENDED_DELAY       =  9900  # to 9905: try again after 10 ** n milliseconds

# ibm,configure-connector: what the work area holds.  [LoPAR 13.5.3.5]
CC_COMPLETE          =     0
CC_NEXT_SIBLING      =     1
CC_NEXT_CHILD        =     2
CC_NEXT_PROPERTY     =     3
CC_PREVIOUS_PARENT   =     4
CC_MORE_MEMORY       =     5
# fmt: on
