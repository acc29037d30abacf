import CFSRTestLinux
import FSRSystem
import Glibc

// A process beside a VM, for what a test cannot do in its own. Ends with 90 where it cannot do it either.
//
//     Bystander lock FILE                  locks it as processes do, says 1, and stays until its input ends
//     Bystander as USER PROGRAM ARGUMENT…  becomes the program, as that user without rights
//     Bystander adopt PROGRAM ARGUMENT…    runs it, and ends as the last of it and of what it has left behind does
//     Bystander knock USER FOLDER          asks the VM of that folder something, as that user: 0 if it hangs up, 92 if it answers

func check(_ answer: Int32) {
  if answer < 0 { exit(90) }
}

func become(_ user: String) {
  guard let number = UInt32(user) else { exit(90) }
  check(cfsrtest_become(number))
}

func lock(_ path: String) throws {
  // SAFETY: the C string lives for the call.
  check(unsafe path.withCString { unsafe cfsrtest_lock_file($0) })
  try OwnedDescriptor.standardOutput().write(Array("1".utf8))
  while try !OwnedDescriptor.standardInput().read(limit: 1).isEmpty {}
}

func knock(_ folder: String) throws -> Int32 {
  let socket = try UnixSocket.connect(in: try Directory.open(folder), name: "control.sock")
  do throws(SystemError) {
    try socket.send([1, 1])
    return try socket.receive(limit: 65536, maximumDescriptors: 0, timeout: 30_000_000_000) == nil ? 0 : 92
  } catch {
    return error.errno == ECONNRESET || error.errno == EPIPE ? 0 : 90
  }
}

let words = CommandLine.arguments.dropFirst()
switch (words.first, words.count) {
case ("lock", 2): try lock(words[2])
case ("knock", 3):
  become(words[2])
  exit(try knock(words[3]))
case ("as", 3...):
  become(words[2])
  // SAFETY: the process's own arguments, of which there are more than three, with a NULL behind them.
  check(unsafe cfsrtest_execute(CommandLine.unsafeArgv + 3))
case ("adopt", 2...):
  // SAFETY: the same, of which there are more than two.
  let status = unsafe cfsrtest_adopt(CommandLine.unsafeArgv + 2)
  check(status)
  exit(status)
case (_, _): exit(90)
}
