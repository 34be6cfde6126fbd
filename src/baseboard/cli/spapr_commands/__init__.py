"""The commands of `baseboard spapr`: one file each, imported when it is asked for."""
