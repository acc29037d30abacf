// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: strict memory safety, and a warning ends the build.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// What encodings were written once, which tests read from where they lie.
let fixtures = ["Fixtures"]

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
  name: "fsr",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
  ],
  targets: [
    // ground: the kernel's edge, and what is carried
    .target(name: "CFSRLinux", cSettings: [.define("_GNU_SOURCE"), .treatAllWarnings(as: .error)]),
    .systemLibrary(name: "CNuma", pkgConfig: "numa", providers: [.apt(["libnuma-dev"])]),
    .systemLibrary(name: "CCap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
    .systemLibrary(name: "CURing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    room("FSRSystem", ["CFSRLinux", "CNuma", "CCap", "CURing", "CLZ4"]),
    room("FSRState"),

    // organs: siblings, none imports another
    room("FSRMemory", ["FSRSystem", "FSRState"]),

    room("FSRHandoff", ["FSRSystem", "FSRState"]),

    room("FSRStorage", ["FSRSystem", "FSRState"]),

    // machine: knows nothing of being moved
    .target(
      name: "FSRMachine", dependencies: ["FSRMemory", "FSRState"],
      exclude: [
        "SoakGuest/soak.c", "SoakGuest/start.S", "SoakGuest/soak.ld", "BenchGuest/bench.c",
        "BenchGuest/kernels.c", "BenchGuest/kernels.h", "BenchGuest/start.S", "BenchGuest/bench.ld",
      ], swiftSettings: strict),
    room("FSRSoftCPU", ["FSRMachine", "FSRMemory", "FSRState"]),

    // host: a VM as it lies on this host, and whoever asks for it
    room("FSRHost", ["FSRHandoff", "FSRMemory", "FSRStorage", "FSRState", "FSRSystem"]),
    room("FSRClient", ["FSRHost", "FSRHandoff", "FSRMemory", "FSRStorage", "FSRState", "FSRSystem"]),

    room("FSRService", ["FSRHost", "FSRHandoff", "FSRMemory", "FSRState", "FSRSystem"]),

    // doors: each makes one kind of VMM a participant in a handoff
    room(
      "FSRReference",
      [
        "FSRService", "FSRHost", "FSRHandoff", "FSRMachine", "FSRSoftCPU", "FSRMemory", "FSRStorage",
        "FSRState", "FSRSystem",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),

    // roof: chooses, never computes
    room(
      "FSRCommands",
      [
        "FSRClient", "FSRHost", "FSRHandoff", "FSRMachine", "FSRState", "FSRSystem",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),
    .executableTarget(
      name: "fsr", dependencies: ["FSRCommands", "FSRReference", "FSRService", "FSRSystem"],
      swiftSettings: strict),

    // tests: one target per room
    .target(name: "CFSRTestLinux", path: "Tests/CFSRTestLinux", cSettings: [.define("_GNU_SOURCE")]),
    .target(
      name: "FSRTestSupport", dependencies: ["FSRSystem", "CFSRTestLinux"], path: "Tests/FSRTestSupport",
      swiftSettings: strict),
    .target(
      name: "FSRGuestSupport", dependencies: ["FSRSoftCPU", "FSRMachine", "FSRMemory", "FSRState"],
      path: "Tests/FSRGuestSupport", swiftSettings: strict),
    .executableTarget(
      name: "OtherVMM", dependencies: ["FSRHandoff", "FSRState", "FSRSystem"], path: "Tests/OtherVMM",
      swiftSettings: strict),
    .executableTarget(
      name: "CountingVMM",
      dependencies: ["FSRService", "FSRHost", "FSRHandoff", "FSRMemory", "FSRState", "FSRSystem"],
      path: "Tests/CountingVMM", swiftSettings: strict),
    .executableTarget(
      name: "Bystander", dependencies: ["FSRSystem", "CFSRTestLinux"], path: "Tests/Bystander",
      swiftSettings: strict),
    tests("FSRSystemTests", ["FSRSystem", "FSRTestSupport"]),
    tests("FSRStateTests", ["FSRState", "FSRTestSupport"], exclude: fixtures),
    tests(
      "FSRHandoffTests", ["FSRHandoff", "FSRSystem", "FSRState", "FSRTestSupport", "OtherVMM"],
      exclude: fixtures),
    tests("FSRMemoryTests", ["FSRMemory", "FSRSystem", "FSRState", "FSRTestSupport"], exclude: fixtures),
    tests(
      "FSRStorageTests", ["FSRStorage", "FSRSystem", "FSRState", "FSRTestSupport", "Bystander"],
      exclude: fixtures),
    tests("FSRMachineTests", ["FSRMachine", "FSRMemory", "FSRState", "FSRTestSupport"]),
    tests(
      "FSRCommandsTests",
      [
        "FSRCommands", "FSRClient", "FSRHost", "FSRHandoff", "FSRMachine", "FSRState", "FSRSystem",
        "FSRTestSupport", "fsr",
      ],
      exclude: fixtures),
    tests(
      "FSRHostTests", ["FSRHost", "FSRHandoff", "FSRMemory", "FSRState", "FSRSystem", "FSRTestSupport"],
      exclude: fixtures),
    tests(
      "FSRClientTests",
      [
        "FSRClient", "FSRHost", "FSRHandoff", "FSRMemory", "FSRState", "FSRSystem", "FSRTestSupport",
        "CountingVMM",
      ],
      exclude: fixtures),
    tests(
      "FSRServiceTests",
      ["FSRService", "FSRHost", "FSRHandoff", "FSRState", "FSRSystem", "FSRTestSupport"]),
    tests(
      "FSRReferenceTests",
      [
        "FSRReference", "FSRService", "FSRHost", "FSRHandoff", "FSRMachine", "FSRMemory", "FSRState",
        "FSRSystem", "FSRTestSupport",
      ],
      exclude: fixtures),
    tests(
      "FSRSoftCPUTests",
      ["FSRSoftCPU", "FSRMachine", "FSRMemory", "FSRState", "FSRGuestSupport", "FSRTestSupport"],
      exclude: fixtures),
    tests(
      "OracleTests", ["FSRMachine", "FSRSystem", "FSRGuestSupport", "FSRTestSupport", "fsr"],
      exclude: ["Programs"]),
    tests(
      "IntegrationTests",
      [
        "FSRHandoff", "FSRMemory", "FSRState", "FSRSystem", "FSRTestSupport", "OtherVMM", "CountingVMM",
        "Bystander", "fsr",
      ],
      exclude: fixtures),

    // what holds for the files themselves, and for what the pages say of them
    tests(
      "TidyTests",
      [
        "FSRHandoff", "FSRClient", "FSRHost", "FSRReference", "FSRMachine", "FSRMemory", "FSRState",
        "FSRSystem", "FSRGuestSupport", "FSRTestSupport",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
