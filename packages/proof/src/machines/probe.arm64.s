// Exits with log2(page size) + 32 * level: 0 Armv8.0, 1 with LSE atomics, 2 with dot products too.
// The code in probe-program.ts: aarch64-linux-gnu-as probe.arm64.s && objcopy -O binary -j .text a.out | base64
.global _start
_start:
  ldr x0, [sp]            // argc
  add x1, sp, #16         // the environment: sp + 8 + 8 * (argc + 1)
  add x1, x1, x0, lsl #3
1: ldr x2, [x1], #8
  cbnz x2, 1b
  mov x3, #4096
  mov x4, #0
2: ldp x5, x6, [x1], #16  // the auxiliary vector
  cmp x5, #6              // AT_PAGESZ
  csel x3, x6, x3, eq
  cmp x5, #16             // AT_HWCAP
  csel x4, x6, x4, eq
  cbnz x5, 2b
  rbit x3, x3
  clz x0, x3
  ubfx x7, x4, #8, #1     // HWCAP_ATOMICS
  ubfx x8, x4, #20, #1    // HWCAP_ASIMDDP
  and x8, x8, x7
  add x7, x7, x8
  add x0, x0, x7, lsl #5
  mov x8, #93             // exit
  svc #0
