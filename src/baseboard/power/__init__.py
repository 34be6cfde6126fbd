"""Chassis back ends: what switches a machine on and off, and tells the truth about its state."""
