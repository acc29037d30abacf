package import FSRHandoff
package import FSRHost
package import FSRSystem

extension ConsoleBuffer: DescribedPart {
  package func describe(into description: inout GuestDescription) throws {
    description.add(ReferenceGuest.Slot.console, try descriptor.duplicate())
  }
}

/// Its file is the VM's alone.
extension ConsoleDrain: DescribedPart, RunningPart, FileWritingPart, EndingPart {
  package func describe(into description: inout GuestDescription) throws {
    description.written.insert(ReferenceGuest.Slot.consoleFile)
    if let file { description.add(ReferenceGuest.Slot.consoleFile, try file.value.duplicate()) }
  }

  package func writtenFiles(into bag: inout DescriptorBag) throws {
    if let file { bag.append(try file.value.duplicate()) }
  }

  package var lossWithoutIt: String { "the console goes to no file" }

  /// Writes what is left.
  package func end(in folder: borrowing VMFolder) { drain() }
}

extension ConsolePump: DrainingPart {
  var lossWithoutIt: String { "typed bytes wait until the guest looks" }

  /// It rests since `quiesce`: one look is left.
  func drain() { rest() }
}
