"""OYMotion gForcePro+."""
