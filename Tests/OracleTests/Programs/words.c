// Every opcode, function and upper seven bits of the 32-bit instructions, on a few choices of registers.
#include "probe.h"

static struct probe state;
static u64 registers[32];

#define JAL 0x1b
#define BRANCH 0x18
#define STORE 0x08
#define ATOMIC 0x0b
#define SYSTEM 0x1c

static u64 try(u64 sum, u32 bits) { return probe_instruction(sum, bits, &state, registers); }

static void set_registers(u64 seed) {
  for (int i = 0; i < 32; i++) registers[i] = next_random(&seed) >> (seed & 63);
  // Where memory instructions and jumps go: rs1 points into the area, beyond the instruction itself.
  registers[6] = (u64)area + 4096;
  registers[7] = seed % 2 ? 33 : ~0ul << 40;
}

static u64 group(u32 opcode, u32 function, u32 rd, u32 rs2) {
  u64 sum = HASH_START;
  for (u32 upper = 0; upper < 128; upper++) {
    u32 bits = upper << 25 | rs2 << 20 | 6 << 15 | function << 12 | rd << 7 | opcode << 2 | 3;
    // Not a branch to itself.
    if (opcode == BRANCH && upper == 0 && rd == 0) continue;
    // A store-conditional fails, and QEMU 7.2 does not look at its alignment then; here it is aligned.
    set_registers(bits);
    sum = try(sum, bits);
    if (opcode == STORE || opcode == ATOMIC) sum = hash_writes(sum);
  }
  return hash_writes(sum);
}

static void show_system(void) {
  u64 sum = HASH_START;
  // A software interrupt that is pending, and cannot be taken, ends a wfi.
  csr_write(mie, SOFTWARE);
  write32(CLINT, 1);
  for (u32 number = 0; number < 4096; number++) {
    // Left out: mret, and those of other modes, which QEMU 7.2 does not refuse where there are none.
    int others = number == 0x302 || (number >= 0x100 && number < 0x200 && number != 0x105);
    if (!others) {
      sum = try(sum, number << 20 | 0x73);
      sum = try(sum, number << 20 | 5 << 7 | 0x73);
      sum = try(sum, number << 20 | 6 << 15 | 0x73);
    }
    if (number % 64 == 63) {
      print_hex(number);
      line(" system", sum);
    }
  }
  write32(CLINT, 0);
  csr_write(mie, 0);
}

void program(u64 hart) {
  clear_area();
  for (u32 opcode = 0; opcode < 32; opcode++) {
    if (opcode == JAL || opcode == SYSTEM) continue;
    for (u32 function = 0; function < 8; function++) {
      print_hex(opcode << 4 | function);
      print(" ");
      line2("", group(opcode, function, 5, 7), group(opcode, function, 0, 6));
      line2("  ", group(opcode, function, 6, 0), group(opcode, function, 31, 31));
    }
  }
  show_system();
}
