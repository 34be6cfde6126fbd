"""Return codes of hypercalls, in r3.  [LoPAR Table 14.4], named as QEMU and Linux write them"""

from __future__ import annotations

# fmt: off
H_SUCCESS   =   0
H_BUSY      =   1
H_HARDWARE  =  -1
H_FUNCTION  =  -2
H_PARAMETER =  -4
H_RESOURCE  = -16
H_P2        = -55
H_P3        = -56
H_P4        = -57
H_P5        = -58

CODES = {
    "H_SUCCESS":   H_SUCCESS,
    "H_BUSY":      H_BUSY,
    "H_HARDWARE":  H_HARDWARE,
    "H_FUNCTION":  H_FUNCTION,
    "H_PRIVILEGE": -3,
    "H_PARAMETER": H_PARAMETER,
    "H_PERMISSION": -11,
    "H_RESOURCE":  H_RESOURCE,
    "H_P2":        H_P2,
    "H_P3":        H_P3,
    "H_P4":        H_P4,
    "H_P5":        H_P5,
    # Wait as long, and call again.
    "H_LONG_BUSY_ORDER_1_MSEC":   9900,
    "H_LONG_BUSY_ORDER_10_MSEC":  9901,
    "H_LONG_BUSY_ORDER_100_MSEC": 9902,
    "H_LONG_BUSY_ORDER_1_SEC":    9903,
    "H_LONG_BUSY_ORDER_10_SEC":   9904,
    "H_LONG_BUSY_ORDER_100_SEC":  9905,
}
# fmt: on
NAMES = {number: name for name, number in CODES.items()}
