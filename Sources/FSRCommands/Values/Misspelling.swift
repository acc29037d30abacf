/// A word that is none of those that are known.
package struct Misspelling {
  /// More letters than any word that is looked at.
  private static let limit = 64

  package let word: String

  package init(word: String) { self.word = word }

  /// The one of `words` that was probably meant; nil where none is near.
  package func nearest(of words: [String]) -> String? {
    guard word.count <= Self.limit else { return nil }
    let ranked = words.map { ($0, distance(to: $0)) }.min { $0.1 < $1.1 }
    // Of a short word much would be another one.
    guard let (found, distance) = ranked, distance <= min(2, max(1, found.count / 2)) else { return nil }
    return found
  }

  /// How many letters were left out, put in, replaced, or changed places with the next.
  private func distance(to other: String) -> Int {
    let (mine, theirs) = (Array(word.lowercased()), Array(other))
    var rows: [[Int]] = [Array(0...theirs.count)]
    for (row, letter) in mine.enumerated() {
      var next = [row + 1]
      for (column, due) in theirs.enumerated() {
        var best = min(
          rows[row][column + 1] + 1, next[column] + 1, rows[row][column] + (letter == due ? 0 : 1))
        if row > 0, column > 0, letter == theirs[column - 1], mine[row - 1] == due {
          best = min(best, rows[row - 1][column - 1] + 1)
        }
        next.append(best)
      }
      rows.append(next)
    }
    return rows[mine.count][theirs.count]
  }
}
