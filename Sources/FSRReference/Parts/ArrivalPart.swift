extension ArrivalSampler: ArrivingPart {
  func park() throws { try start() }
  func arrived() { wake() }
}
