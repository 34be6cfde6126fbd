"""Return codes of hypercalls, in r3.  [LoPAR Table 14.4]"""

from __future__ import annotations

# fmt: off
H_SUCCESS   =   0
H_FUNCTION  =  -2
H_PARAMETER =  -4
H_RESOURCE  = -16
H_P2        = -55
H_P3        = -56
H_P4        = -57
H_P5        = -58
# fmt: on
NAMES = {
    H_SUCCESS: "H_Success",
    H_FUNCTION: "H_Function",
    H_PARAMETER: "H_Parameter",
    H_RESOURCE: "H_Resource",
    H_P2: "H_P2",
    H_P3: "H_P3",
    H_P4: "H_P4",
    H_P5: "H_P5",
}
