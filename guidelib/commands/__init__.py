"""The commands of the command line, one file each: arguments(parser) and main(options, rest)."""
