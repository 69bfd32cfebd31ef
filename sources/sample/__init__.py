"""The sample portal: a small made-up government site that `gongkai demo` serves on loopback, crawls and loads."""
