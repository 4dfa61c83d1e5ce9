# Exits with log2(page size) + 32 * (level - 1): the levels of the x86-64 psABI.
# The code in probe-program.ts: as probe.amd64.s && objcopy -O binary -j .text a.out | base64
.intel_syntax noprefix
.global _start
_start:
  mov rax, [rsp]
  lea rsi, [rsp+rax*8+16] # the environment
1: lodsq
  test rax, rax
  jnz 1b
  mov r8d, 4096
2: lodsq                  # the auxiliary vector
  mov rdx, rax
  lodsq
  cmp rdx, 6              # AT_PAGESZ
  cmove r8, rax
  test rdx, rdx
  jnz 2b
  bsf r8, r8
  mov eax, 1
  cpuid
  mov r9d, ecx
  and ecx, 0x982201       # level 2: POPCNT, SSE4.2, SSE4.1, CX16, SSSE3, SSE3
  cmp ecx, 0x982201
  jne done
  mov eax, 0x80000001
  cpuid
  mov r10d, ecx
  test ecx, 1             # LAHF
  jz done
  add r8d, 32
  and r9d, 0x38401000     # level 3: F16C, AVX, OSXSAVE, MOVBE, FMA
  cmp r9d, 0x38401000
  jne done
  test r10d, 0x20         # LZCNT
  jz done
  mov eax, 7
  xor ecx, ecx
  cpuid
  mov eax, ebx
  and eax, 0x128          # AVX2, BMI1, BMI2
  cmp eax, 0x128
  jne done
  add r8d, 32
  and ebx, 0xD0030000     # level 4: AVX-512 F, DQ, CD, BW, VL
  cmp ebx, 0xD0030000
  jne done
  add r8d, 32
done:
  mov edi, r8d
  mov eax, 60             # exit
  syscall
