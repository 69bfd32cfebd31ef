"""Imported first by the process that readers are forked from: garbage is not collected while it imports what they need.

`flows.engine` turns it on again in each reader, and takes what is there by then for lasting.
"""

import gc

gc.disable()
