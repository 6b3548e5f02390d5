"""Binary files of wrist-worn accelerometers: Axivity, GENEActiv, ActiGraph."""
