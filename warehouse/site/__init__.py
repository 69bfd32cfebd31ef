"""The static site: pages, scripts and data files made from the published warehouse. Nothing in it asks another host for anything."""
