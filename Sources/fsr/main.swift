internal import FSRCommands
internal import Glibc

exit(FSRCommandLine.run(Array(CommandLine.arguments.dropFirst())))
