internal import Glibc

/// The date and time of day by the host's clock, for people.
public enum UTCTime {
  /// Now, as `2026-03-14T15:09:26Z` (ISO 8601).
  public static func now() -> String {
    var time = timespec()
    // SAFETY: the call fills the structure that it is given.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return text(secondsSince1970: Int64(time.tv_sec))
  }

  /// The same of a number of seconds; days as in the proleptic Gregorian calendar.
  package static func text(secondsSince1970 seconds: Int64) -> String {
    let day = 86_400
    let days = Int(seconds) / day - (Int(seconds) % day < 0 ? 1 : 0)
    let rest = Int(seconds) - days * day
    let date = civil(days)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(date.year)-\(two(date.month))-\(two(date.day))"
      + "T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
  }

  /// The date that lies `days` behind 1970-01-01, where a year begins in March, so that the leap day is its last.
  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    // Days since 0000-03-01, in eras of 400 years.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let isNextYear = month >= 10
    return (yearOfEra + era * 400 + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3, day)
  }
}
