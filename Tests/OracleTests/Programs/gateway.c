// The PLIC's gateway of the serial port: a row for each line of the specification's table of what becomes of a request.
#include "runtime.h"

#define SOURCE 10
#define PRIORITY (PLIC + 4 * SOURCE)
#define PENDING (PLIC + 0x1000)
#define ENABLE(context) (PLIC + 0x2000 + 0x80 * (context))
#define THRESHOLD(context) (PLIC + 0x200000 + 0x1000 * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)

static u64 seen[8];
static int count;

static void keep(u64 value) { seen[count++] = value; }
// The line is high while the transmitter wants to be identified.
static void raise(void) { write8(UART + 1, 2); }
static void lower(void) { write8(UART + 1, 0); }

static void fresh(void) {
  lower();
  write32(PRIORITY, 1);
  write32(THRESHOLD(0), 0);
  write32(ENABLE(0), 1 << SOURCE);
  while (read32(CLAIM(0))) write32(CLAIM(0), SOURCE);
  write32(CLAIM(0), SOURCE);
  count = 0;
}

// Nothing is printed while the port may interrupt.
static void show(const char *name) {
  lower();
  print(name);
  for (int i = 0; i < count; i++) {
    print(" ");
    print_hex(seen[i]);
  }
  print("\n");
}

#define PENDS keep(read32(PENDING))
#define CLAIMS keep(read32(CLAIM(0)))
#define INTERRUPTS keep(csr_read(mip) & EXTERNAL)
#define COMPLETES(source) write32(CLAIM(0), source)

// Left out, since QEMU forgets a line that is still high when its source is completed, remembers one that rose and fell
// meanwhile, lets the threshold hold back claims, and looks at a new enable only when something else happens.
void program(u64 hart) {
  fresh(); PENDS; raise(); PENDS; INTERRUPTS; show("a high line requests");
  fresh(); raise(); lower(); PENDS; INTERRUPTS; CLAIMS; PENDS; INTERRUPTS; show("a request outlives its line");
  fresh(); raise(); lower(); CLAIMS; COMPLETES(SOURCE); PENDS; CLAIMS; show("once");
  fresh(); raise(); CLAIMS; PENDS; INTERRUPTS; CLAIMS; show("claimed");
  fresh(); raise(); CLAIMS; lower(); COMPLETES(SOURCE); PENDS; INTERRUPTS; show("completed and low");
  fresh(); raise(); CLAIMS; lower(); raise(); COMPLETES(SOURCE); PENDS; INTERRUPTS; CLAIMS; show("risen meanwhile");
  fresh(); write32(ENABLE(0), 0); raise(); PENDS; INTERRUPTS; CLAIMS; write32(ENABLE(0), 1 << SOURCE); CLAIMS; show("not enabled");
  fresh(); write32(PRIORITY, 0); raise(); PENDS; INTERRUPTS; CLAIMS; write32(PRIORITY, 1); INTERRUPTS; CLAIMS; show("priority 0");
  fresh(); write32(THRESHOLD(0), 1); raise(); PENDS; INTERRUPTS; write32(THRESHOLD(0), 0); INTERRUPTS; show("threshold");
  fresh(); write32(THRESHOLD(0), 7); write32(PRIORITY, 7); raise(); INTERRUPTS; write32(THRESHOLD(0), 6); INTERRUPTS; show("highest threshold");
  fresh(); raise(); COMPLETES(SOURCE); PENDS; CLAIMS; show("completed unclaimed");
  fresh(); raise(); CLAIMS; COMPLETES(11); COMPLETES(96); COMPLETES(0); PENDS; CLAIMS; show("others completed");
  fresh(); raise(); CLAIMS; write32(ENABLE(0), 0); lower(); COMPLETES(SOURCE); write32(ENABLE(0), 1 << SOURCE); raise(); PENDS; CLAIMS; show("completed while not enabled");
  fresh(); raise(); write32(PENDING, 0); PENDS; write32(PENDING, 0xffffffff); PENDS; CLAIMS; show("pending is read only");
  fresh(); raise(); CLAIMS; write32(CLAIM(1), SOURCE); lower(); raise(); PENDS; CLAIMS; show("completed by another context");
  lower();
}
