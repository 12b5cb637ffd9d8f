"""Place items online, one at a time, into as few bins as possible."""
