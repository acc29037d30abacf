internal import CCap
internal import Glibc

/// What the calling thread may do beyond its user's rights (capabilities(7)).
public enum Capabilities {
  /// The ones that this package needs somewhere.
  public enum Name: String, Sendable, CaseIterable {
    case dacOverride = "cap_dac_override"
    case fowner = "cap_fowner"
    case kill = "cap_kill"
    case netAdmin = "cap_net_admin"
    case ipcLock = "cap_ipc_lock"
    case sysPtrace = "cap_sys_ptrace"
    case sysAdmin = "cap_sys_admin"
    case sysNice = "cap_sys_nice"
    case sysResource = "cap_sys_resource"

    var value: cap_value_t {
      switch self {
      case .dacOverride: CAP_DAC_OVERRIDE
      case .fowner: CAP_FOWNER
      case .kill: CAP_KILL
      case .netAdmin: CAP_NET_ADMIN
      case .ipcLock: CAP_IPC_LOCK
      case .sysPtrace: CAP_SYS_PTRACE
      case .sysAdmin: CAP_SYS_ADMIN
      case .sysNice: CAP_SYS_NICE
      case .sysResource: CAP_SYS_RESOURCE
      }
    }
  }

  /// Whether the calling thread has `name` in its effective set.
  public static func has(_ name: Name) throws(SystemError) -> Bool {
    // SAFETY: libcap allocates the set, and it is freed once.
    guard let set = unsafe cap_get_proc() else { throw SystemError("cap_get_proc", errno: errno) }
    defer { unsafe cap_free(UnsafeMutableRawPointer(set)) }
    var flag = CAP_CLEAR
    // SAFETY: the set lives; the flag is written by the call alone.
    guard unsafe cap_get_flag(set, name.value, CAP_EFFECTIVE, &flag) == 0 else {
      throw SystemError("cap_get_flag", on: name.rawValue, errno: errno)
    }
    return flag == CAP_SET
  }
}
