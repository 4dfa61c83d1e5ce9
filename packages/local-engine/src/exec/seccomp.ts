/** One rule of a filter, as in the OCI runtime specification (config-linux.md, "Seccomp"). */
interface Rule {
  readonly names: readonly string[];
  readonly action: "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO";
  readonly errnoRet?: number;
  readonly args?: readonly Comparison[];
}

/** A condition on one argument of a system call. */
interface Comparison {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: "SCMP_CMP_EQ" | "SCMP_CMP_MASKED_EQ";
}

export interface SeccompFilter {
  readonly defaultAction: "SCMP_ACT_ERRNO";
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly Rule[];
}

const [EPERM, ENOSYS] = [1, 38];

/** The system calls that Docker's default policy allows whatever their arguments, by subject. */
const ALLOWED = {
  files: `
    access faccessat faccessat2 chdir fchdir getcwd chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat
    lchown lchown32 umask creat open openat openat2 close close_range read readv pread64 preadv preadv2 write writev
    pwrite64 pwritev pwritev2 lseek _llseek dup dup2 dup3 fcntl fcntl64 ioctl flock fallocate fadvise64 fadvise64_64
    readahead sync syncfs fsync fdatasync sync_file_range truncate truncate64 ftruncate ftruncate64 copy_file_range
    sendfile sendfile64 splice tee vmsplice link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename
    renameat renameat2 mkdir mkdirat rmdir getdents getdents64 name_to_handle_at cachestat pipe pipe2 memfd_create
    memfd_secret`,
  fileStatus: `
    stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 statmount listmount
    utime utimes futimesat utimensat utimensat_time64 getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr
    setxattrat listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
    inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark`,
  memory: `
    brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal
    remap_file_pages map_shadow_stack membarrier pkey_alloc pkey_free pkey_mprotect process_mrelease shmat shmctl shmdt
    shmget`,
  processes: `
    execve execveat exit exit_group fork vfork wait4 waitid waitpid kill tkill tgkill pidfd_open pidfd_send_signal pause
    getpid getppid gettid getpgid setpgid getpgrp getsid setsid getpriority setpriority ioprio_get ioprio_set getrlimit
    ugetrlimit setrlimit prlimit64 getrusage times prctl ptrace process_vm_readv process_vm_writev set_tid_address
    get_thread_area set_thread_area get_robust_list set_robust_list rseq restart_syscall uretprobe seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self`,
  users: `
    getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32
    getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32
    setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset`,
  signals: `
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn`,
  scheduling: `
    sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
    sched_rr_get_interval_time64 getcpu futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue`,
  time: `
    time gettimeofday clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
    clock_nanosleep_time64 nanosleep adjtimex clock_adjtime clock_adjtime64 alarm getitimer setitimer timer_create
    timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
    timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`,
  waiting: `
    poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
    epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 io_setup io_destroy io_submit io_cancel
    io_getevents io_pgetevents io_pgetevents_time64`,
  sockets: `
    socketcall socketpair bind connect listen accept accept4 shutdown getsockname getpeername getsockopt setsockopt send
    sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`,
  messages: `
    ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 mq_open mq_unlink mq_notify
    mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64`,
  system: `uname sysinfo getrandom chroot`,
};

/** Allowed on one architecture only. */
const ALLOWED_ON: Readonly<Record<string, string>> = {
  x64: "arch_prctl modify_ldt",
  arm64: "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
};

/**
 * Refused with EPERM, as Docker does. Everything else that is not allowed does not exist for the command (ENOSYS), because
 * what is newer than this list must look so: C libraries then fall back to an older call, as they do with runc. This list is
 * short because each rule costs every command a tenth of a millisecond.
 */
const REFUSED = `
  mount umount2 pivot_root unshare setns sethostname setdomainname keyctl add_key request_key bpf perf_event_open
  syslog reboot settimeofday clock_settime`;

/** clone(2)'s flags for new namespaces. clone3 passes them in memory, where no filter sees them: it does not exist. */
const NEW_NAMESPACES = [
  0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
] as const;

/** socket(2)'s address families, as first and last of a range; AF_ALG, AF_VSOCK and obsolete ones are not among them. */
const FAMILIES = [
  [0, 11],
  [13, 18],
  [21, 22],
  [24, 24],
  [26, 33],
  [35, 36],
  [39, 39],
  [41, 45],
] as const;

/** personality(2)'s values that only change what a program sees of itself; the last one queries. */
const PERSONALITIES = [0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** mknod(2)'s file types that are no devices: S_IFREG and its default, S_IFIFO, S_IFSOCK. */
const PLAIN_TYPES = [0, 0o100000, 0o010000, 0o140000];
const [FILE_TYPE, CHARACTER_DEVICE, BLOCK_DEVICE] = [0o170000, 0o020000, 0o060000];

/** libseccomp's names of an architecture and of the 32-bit one whose programs it also runs. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

/**
 * Docker's default seccomp policy for a command with Docker's default capabilities, plus one rule: device nodes other than
 * the sandbox's own cannot be made. In Docker the device cgroup keeps commands from opening them; the sandbox does not
 * depend on cgroups. Emulated programs make system calls of this machine's architecture.
 * @param devices numbers of the devices that may be made, as mknod(2) takes them
 * @param machine Node's name of this machine's architecture
 * @see https://docs.docker.com/engine/security/seccomp/
 */
export function seccompFilter(devices: readonly number[], machine: string = process.arch): SeccompFilter {
  const allNamespaces = NEW_NAMESPACES.reduce((sum, flag) => sum + flag, 0);
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ENOSYS,
    architectures: ARCHITECTURES[machine] ?? [],
    syscalls: [
      allow(words(...Object.values(ALLOWED), ALLOWED_ON[machine] ?? "")),
      refuse(words(REFUSED)),
      allow(["clone"], masked(0, allNamespaces, 0)),
      ...NEW_NAMESPACES.map((flag) => refuse(["clone"], masked(0, flag, flag))),
      ...FAMILIES.flatMap(([first, last]) => aligned(first, last)).map(({ value, size }) =>
        allow(["socket"], masked(0, ALL_BITS - (size - 1), value)),
      ),
      ...PERSONALITIES.map((value) => allow(["personality"], equals(0, value))),
      ...[mknod("mknod", 1, devices), mknod("mknodat", 2, devices)].flat(),
    ],
  };
}

/** @param mode the index of the argument with the type; the device number follows it */
function mknod(name: string, mode: number, devices: readonly number[]): Rule[] {
  const type = (value: number): Comparison => masked(mode, FILE_TYPE, value);
  return [
    ...PLAIN_TYPES.map((value) => allow([name], type(value))),
    ...devices.map((device) => allow([name], type(CHARACTER_DEVICE), equals(mode + 1, device))),
    refuse([name], type(BLOCK_DEVICE)),
  ];
}

/** The fewest ranges, each of a power of two and aligned to it, that make up a range: a mask describes each. */
function aligned(first: number, last: number): { value: number; size: number }[] {
  if (first > last) return [];
  let size = 1;
  while (first % (size * 2) === 0 && first + size * 2 - 1 <= last) size *= 2;
  return [{ value: first, size }, ...aligned(first + size, last)];
}

/** Of an int argument. */
const ALL_BITS = 0xffffffff;

function equals(index: number, value: number): Comparison {
  return { index, value, op: "SCMP_CMP_EQ" };
}

/** Whether the bits of the mask are the given ones. */
function masked(index: number, mask: number, bits: number): Comparison {
  return { index, value: mask, valueTwo: bits, op: "SCMP_CMP_MASKED_EQ" };
}

function allow(names: readonly string[], ...args: readonly Comparison[]): Rule {
  return { names, action: "SCMP_ACT_ALLOW", ...(args.length === 0 ? {} : { args }) };
}

function refuse(names: readonly string[], ...args: readonly Comparison[]): Rule {
  return { ...allow(names, ...args), action: "SCMP_ACT_ERRNO", errnoRet: EPERM };
}

function words(...texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split(/\s+/)).filter((word) => word !== "");
}
