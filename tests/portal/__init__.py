"""A test portal: government sites of every family and fault, each on a loopback address of its own, and a log of what they were asked."""
