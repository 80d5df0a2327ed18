"""libc and its threads on Linux, Android and the BSDs, the kernel, and the run-time parts of sanitizers.

Sources: glibc and bionic, https://sourceware.org/glibc/manual/, https://github.com/google/sanitizers/wiki."""

from syncd.core.titles.families import Family

NATIVE = Family(
    irrelevant=(
        # leaving the program
        "abort", "abort_message", "abort_msg*", "raise", "gsignal", "kill", "tgkill", "tkill", "pthread_kill*", "exit", "Exit", "quick_exit",
        "run_exit_handlers",
        "libc_message*", "libc_fatal", "libc_android_abort", "android_log_assert", "fortify_*", "chk_fail", "stack_chk_fail*", "assert*_fail*",
        "assert_rtn", "assert", "assert2",
        "*_abort", "die", "err", "errx", "verr", "verrx", "bug", "panic", "libc_start*", "libc_init", "generic_start_main*", "start", "dl_start*",
        "clone*", "start_thread*",
        "thread_start*", "pthread_start*", "pthread_body", "pthread_once*", "default_sa_restorer", "restore_rt", "kernel_*sigreturn*",
        "kernel_vsyscall", "rt_sigreturn", "sigtramp*",
        "sigaction", "<signal handler called>", "libc_csu_*", "cxa_finalize", "call_init*", "dl_*", "gettid", "GI_*abort", "internal_syscall*",
        "/^(?:k|v)?syscall(?:_cancel\\w*|_exit\\w*)?$/",
        # waiting
        "/^(?:libc_|pthread_|internal_|sys_|ppoll|old_)?(?:futex\\w*|epoll_p?wait\\w*|poll|ppoll|select|pselect\\d*|nanosleep|clock_nanosleep\\w*|usleep|sleep|wait4|waitpid|waitid|ioctl|do_system|system)$/",
        "futex_*", "pthread_cond_*", "pthread_mutex_*", "pthread_rwlock_*", "pthread_join*", "pthread_create*", "pthread_timedjoin*",
        "pthread_spin_*", "pthread_barrier_*", "pthread_enable_asynccancel",
        "lll_lock*", "lll_wait*", "sem_*wait*", "new_sem_*", "do_futex_wait*", "nptl_*", "/^(?:sys_)*_?umtx\\w*$/", "usem_wait", "sem_clockwait*",
        "/^_?thr_umtx\\w*$/", "pthread_getspecific",
        # sanitizers and fuzzers
        "asan::*", "sanitizer::*", "sanitizer_*",
        "/^(?:a|m|t|ub|l|hwa|nsan|df)san_(?:report|handle|on|abort|check|set|load|store|init|default)\\w*/", "msan::*", "tsan::*", "ubsan::*",
        "lsan::*", "hwasan::*", "memprof::*", "scudo::*", "scudo_*", "gwp_asan::*", "fuzzer::*", "LLVMFuzzerTestOneInput", "LLVMFuzzerRunDriver",
        "rtl_*segv*", "afl_*", "HF_ITER",
        # the kernel
        "dump_stack*", "show_stack*", "kasan_*", "kmsan_*", "kcsan_*", "print_address_description*", "print_report*", "check_memory_region*", "warn",
        "warn_*", "report_bug", "oops_*",
        "die_*", "do_trap*", "do_error_trap*", "exc_*", "asm_exc_*", "asm_sysvec_*", "page_fault", "do_page_fault", "do_user_addr_fault",
        "no_context", "bad_area*", "entry_SYSCALL_*",
        "do_syscall_*", "x64_sys_*", "ret_from_fork*", "el0_*", "el1*", "invoke_syscall", "fix_bug*", "ubsan_*", "lockdep_*", "check_noncircular",
        "lock_acquire*", "lkl_bug", "lkl_exit",
        "libc_io_functions_not_implemented_use_fdio_instead", "CrashTrampolineAsm*", "fx_log*", "syslog::LogMessage::*", "zx_*", "zxio_*",
        "unstable_libc*",
    ),
    prefix=(
        # memory and texts
        "/^(?:libc_|w|interceptor_|builtin_|rt_|platform_|p)?mem(?:cpy|move|set|cmp|chr|rchr|mem|align|pcpy|cpy_s|zero)\\w*(?:[-.]\\w+(?:-\\w+)*\\.S)?$/",
        "mem*.S", "str*.S", "memcpy*", "memmove*",
        "memset*", "memcmp*", "rep_movs*", "fast_string*", "bzero*", "bcopy", "bcmp",
        "/^(?:libc_|wrap_|w|sse\\d?_)?(?:str|wcs)n?(?:len|cpy|cmp|cat|chr|rchr|str|dup|casecmp|spn|cspn|tok|tol|toul|toll|tod|coll|xfrm|pbrk|sep|nlen|lcpy|lcat|ftime|ncpy|ncmp|ncat)\\w*$/",
        "/^(?:libc_|rtl|tc_|je_|mi_|dl|nano|nedalloc|hoard|x|g_|interposed_|debug_|tcmalloc::|je_arena_)?(?:malloc|calloc|realloc|free|memalign|reallocarray|posix_memalign|aligned_alloc|valloc|cfree)(?:_\\w+)?$/",
        "int_malloc", "int_free*", "int_realloc", "int_memalign", "malloc_*", "tcache_*", "sysmalloc", "systrim*", "unlink_chunk*", "libc_malloc*",
        "libc_free*", "libc_calloc", "libc_realloc",
        "je_*", "tc_*", "mi_*", "tcmalloc::*", "ifree", "arena_*", "ptmalloc_*", "checked_free", "reallocarray",
        "/^(?:IO_)?(?:v?(?:s|f|sn|as|d)?printf|v?f?w?printf|vf?scanf|puts|fputs|fwrite|fread|fclose|fopen|fgets|fflush|getc|fputc|vfprintf\\w*|printf_\\w+)(?:_internal|_chk|64|_l|_unlocked)*$/",
        "IO_*",
        "qsort*", "msort_*", "bsearch", "atoi", "atof", "tolower", "toupper", "getenv", "dlopen*", "dlsym*", "dlclose*",
        "/^(?:libc_|GI_)?(?:read|write|recv|send|recvfrom|sendto|recvmsg|sendmsg|open|openat|close|mmap|munmap|mprotect)(?:64|_nocancel)?$/",
        "longjmp*", "siglongjmp*", "libc_siglongjmp", "inflate*", "adler32*", "crc32*",
        # what programs write to allocate
        "/^(?:x|safe_?|checked_?|my_?|Safe|Checked)(?:malloc|calloc|realloc|free|strdup|alloc)$/i",
        "/^(?:New|Alloc|Allocate)(?:ForOverwrite|Raw|Memory|Bytes|Array)$/", "k?free", "kmem_cache_*", "kmalloc*",
        "raw_spin_*", "mutex_lock*", "down_read*", "down_write*", "queued_spin_*",
    ),
    plumbing=(
        "libc.so*", "libc-*.so", "libpthread*", "libm.so*", "ld-linux*", "ld-2*", "linux-vdso*", "linux-gate*", "libstdc++*", "libgcc_s*", "libc++*",
    ),
    modules=(
        "/^lib[\\w+-]+\\.so\\.[0-9.]+$/", "/^lib[a-z0-9_+-]+-[0-9.]+\\.so(?:\\.[0-9.]+)?$/", "i965_dri.so", "*_dri.so", "libGL*", "libEGL*",
        "libGLES*", "libvulkan*", "libnvidia*", "vulkan.*.so", "/^lib(?:vlc|vlccore|SDL2?|openal|ffi|gtk|gdk|glib|asound|pulse|X11|xcb)$/",
    ),
    places=("/usr/lib", "/lib/x86_64", "/lib64/", "/lib/i", "/lib/aarch64", "/usr/include/", "/usr/src/debug/"),
)  # fmt: skip
