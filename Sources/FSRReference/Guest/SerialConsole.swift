internal import FSRHost
internal import FSRMachine

// The board's serial port prints into the console's memory, and takes from there what was typed.
extension ConsoleBuffer: ConsoleSink {}
extension ConsoleInput: ConsoleSource {}
