// Every operation of I and M on registers, on pairs of corner values; shifts by immediates.
#include "runtime.h"

static const u64 values[] = {
    0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 65, 0x7f, 0x80, 0xff, 0x7ff, 0x800, 0xfff, 0x7fff, 0x8000,
    0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
    0x8000000000000000, 0x8000000000000001, 0xffffffff00000000, 0xffffffff80000000,
    0xffffffff7fffffff, 0xfffffffffffffffe, 0xffffffffffffffff, 0x0123456789abcdef,
    0xfedcba9876543210, 0xaaaaaaaaaaaaaaaa, 0x5555555555555555, 10, 0xfffffffffffffff6,
};
#define COUNT (sizeof values / sizeof *values)

// One line of hashes for each operation, so that a difference names operation and first operand.
static void table(const char *name, u64 (*operation)(u64, u64)) {
  print(name);
  for (u64 i = 0; i < COUNT; i++) {
    u64 sum = HASH_START;
    for (u64 k = 0; k < COUNT; k++) sum = hash(sum, operation(values[i], values[k]));
    print(i % 4 ? " " : "\n  ");
    print_hex(sum);
  }
  print("\n");
}

#define EACH(X) \
  X(add) X(sub) X(sll) X(slt) X(sltu) X(xor) X(srl) X(sra) X(or) X(and) X(addw) X(subw) X(sllw) X(srlw) X(sraw) \
  X(mul) X(mulh) X(mulhsu) X(mulhu) X(div) X(divu) X(rem) X(remu) X(mulw) X(divw) X(divuw) X(remw) X(remuw)

#define DEFINE(name) \
  static u64 name##_(u64 a, u64 b) { \
    u64 c; \
    __asm__ volatile(#name " %0, %1, %2" : "=r"(c) : "r"(a), "r"(b)); \
    return c; \
  }
EACH(DEFINE)

#define IMMEDIATES(X) \
  X(addi, -2048) X(addi, 2047) X(addi, -1) X(addiw, -2048) X(addiw, 2047) X(addiw, 0) X(addiw, -1) \
  X(slti, -2048) X(slti, 0) X(slti, 2047) X(sltiu, -2048) X(sltiu, -1) X(sltiu, 1) X(sltiu, 2047) \
  X(xori, -1) X(xori, -2048) X(xori, 2047) X(ori, -2048) X(ori, 2047) X(andi, -2048) X(andi, 2047) X(andi, -1) \
  X(slli, 0) X(slli, 1) X(slli, 31) X(slli, 32) X(slli, 63) X(srli, 0) X(srli, 1) X(srli, 31) X(srli, 32) X(srli, 63) \
  X(srai, 0) X(srai, 1) X(srai, 31) X(srai, 32) X(srai, 63) X(slliw, 0) X(slliw, 1) X(slliw, 31) \
  X(srliw, 0) X(srliw, 1) X(srliw, 31) X(sraiw, 0) X(sraiw, 1) X(sraiw, 31)

#define IMMEDIATE(name, immediate) \
  { \
    u64 sum = HASH_START; \
    for (u64 i = 0; i < COUNT; i++) { \
      u64 c; \
      __asm__ volatile(".option push; .option norvc; " #name " %0, %1, " #immediate "; .option pop" \
                       : "=r"(c) \
                       : "r"(values[i])); \
      sum = hash(sum, c); \
    } \
    line(#name " " #immediate, sum); \
  }

void program(u64 hart) {
#define TABLE(name) table(#name, name##_);
  EACH(TABLE)
  IMMEDIATES(IMMEDIATE)
  u64 upper[4];
  __asm__ volatile(
      "lui %0, 0; lui %1, 0x7ffff; lui %2, 0x80000; lui %3, 0xfffff"
      : "=r"(upper[0]), "=r"(upper[1]), "=r"(upper[2]), "=r"(upper[3]));
  for (int i = 0; i < 4; i++) line("lui", upper[i]);
  __asm__ volatile(
      "auipc %0, 0; auipc %1, 0x7ffff; auipc %2, 0x80000; auipc %3, 0xfffff"
      : "=r"(upper[0]), "=r"(upper[1]), "=r"(upper[2]), "=r"(upper[3]));
  for (int i = 0; i < 4; i++) line("auipc", upper[i]);
  // Nothing that is written to x0 stays there.
  u64 zero;
  __asm__ volatile("li t0, 7; addi x0, t0, 1; add x0, t0, t0; mul x0, t0, t0; lui x0, 5; mv %0, x0" : "=r"(zero)::"t0");
  line("x0", zero);
}
