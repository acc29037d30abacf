internal import FSRCommands
internal import FSRReference
internal import FSRService
internal import FSRSystem
internal import Glibc

// First of all, so that a VMM that is to take a guest over loses no time.
ServiceProcess.runIfAsked(ReferenceVM.self)
exit(FSRCommandLine.run(Array(Arguments.bytes.dropFirst())))
