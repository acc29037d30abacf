import FSRService
import Glibc

// Nothing but what a VMM's author writes: a VM (`CountingVM`), and this.
ServiceProcess.runIfAsked(CountingVM.self)
print("usage: fsr run NAME --vmm \(CommandLine.arguments.first ?? "CountingVMM")")
exit(64)
