"""What is stored and passed on as it stands: sensor data records, event log records, FRU areas.

`sdr` frames a record, `sensor_records` and `locators` are its types; `sel` is the event log's; `fru` the
areas of an inventory image and `multirecords` the records inside one. Layouts only: who keeps them, and
under which rules they are read, is `bmc/`.
"""
