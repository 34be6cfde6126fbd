"""The believable server behind the controller when nobody brings one: what it is made of and how it behaves.

`server` is the default set of sensors, `inventory` the default FRU data, `physics` the quantities as
functions of load, ambient temperature and power, `simulation` what moves the sensors once a second.
"""
