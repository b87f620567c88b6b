//! What a parser child gives up before it reads a page: memory beyond its limit, files, the network, other programs.
//!
//! On Unix no further file descriptor can be opened, hence no file and no socket. On Linux a filter of system calls lets
//! through what computing and the open pipes need, and refuses all else, what is not invented yet included. Windows has
//! no such limits that safe code can set: there the parent's time limit and the size limits of documents are what holds.
//! macOS may not enforce the memory limit. Nothing here fails: a system that refuses one measure still has the others.

#[cfg(unix)]
pub(super) fn confine(memory: Option<u64>) {
    use rlimit::Resource;

    /// Standard input, output and error, which are open already.
    const OPEN_FILES: u64 = 3;

    let limit = |resource: Resource, most: u64| drop(rlimit::setrlimit(resource, most, most));
    if let Some(bytes) = memory {
        limit(Resource::AS, bytes);
    }
    limit(Resource::CORE, 0);
    limit(Resource::FSIZE, 0);
    limit(Resource::NOFILE, OPEN_FILES);
    #[cfg(target_os = "linux")]
    drop(filter::apply());
}

#[cfg(not(unix))]
pub(super) fn confine(_memory: Option<u64>) {}

#[cfg(target_os = "linux")]
mod filter {
    use std::collections::BTreeMap;
    use std::error::Error;

    use seccompiler::SeccompAction::{Allow, Errno};
    use seccompiler::SeccompCmpArgLen::{Dword, Qword};
    use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
    use seccompiler::{
        BackendError, BpfProgram, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads,
    };

    type Rules = BTreeMap<i64, Vec<SeccompRule>>;

    pub(super) fn apply() -> Result<(), Box<dyn Error>> {
        let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
        // The flags of `clone3` lie where a filter cannot look. Where it is said to be unknown, threads are started by
        // `clone`, whose flags can be looked at.
        let unknown = Errno(libc::ENOSYS.cast_unsigned());
        let clone3 = Rules::from([(libc::SYS_clone3, Vec::new())]);
        let first: BpfProgram = SeccompFilter::new(clone3, Allow, unknown, architecture)?.try_into()?;
        let refused = Errno(libc::EPERM.cast_unsigned());
        let second: BpfProgram = SeccompFilter::new(allowed()?, refused, Allow, architecture)?.try_into()?;
        apply_filter_all_threads(&first)?;
        apply_filter_all_threads(&second)?;
        Ok(())
    }

    fn allowed() -> Result<Rules, BackendError> {
        let is = |argument, value: u64| SeccompCondition::new(argument, Dword, Eq, value);
        let nothing = |argument| SeccompCondition::new(argument, Qword, Eq, 0);
        let thread = libc::CLONE_THREAD.cast_unsigned().into();
        let one = |condition: Result<_, _>| SeccompRule::new(vec![condition?]);
        let mut rules: Rules = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
        rules.extend([
            // Let through to the filter before, which says that there is none.
            (libc::SYS_clone3, Vec::new()),
            // Threads, no processes.
            (
                libc::SYS_clone,
                vec![one(SeccompCondition::new(0, Qword, MaskedEq(thread), thread))?],
            ),
            // A signal to itself, as `abort` sends it.
            (libc::SYS_tgkill, vec![one(is(0, std::process::id().into()))?]),
            // Its own limits are read, not set.
            (
                libc::SYS_prlimit64,
                vec![SeccompRule::new(vec![is(0, 0)?, nothing(2)?])?],
            ),
            // Names of threads and of memory.
            (
                libc::SYS_prctl,
                vec![
                    one(is(0, libc::PR_SET_NAME.cast_unsigned().into()))?,
                    one(is(0, libc::PR_SET_VMA.cast_unsigned().into()))?,
                ],
            ),
            // Whether a file is open, and how.
            (
                libc::SYS_fcntl,
                vec![
                    one(is(1, libc::F_GETFD.cast_unsigned().into()))?,
                    one(is(1, libc::F_GETFL.cast_unsigned().into()))?,
                ],
            ),
        ]);
        Ok(rules)
    }

    /// Whatever their arguments are: none of these names a file, a peer or another process.
    const ALWAYS: &[i64] = &[
        // what is open
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_lseek,
        // memory
        libc::SYS_brk,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_madvise,
        // threads
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_membarrier,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_exit,
        libc::SYS_exit_group,
        // its own signals
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        // time, chance, and how large the machine is
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_clock_nanosleep,
        libc::SYS_gettimeofday,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
        libc::SYS_getrusage,
        libc::SYS_sysinfo,
        libc::SYS_uname,
    ];
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::CString;
    use std::fs::File;
    use std::io::{Error, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::process::Command;

    const FILE: &str = "DEEPSEARCH_PROBED_FILE";
    const KEPT: &str = "what stood in it";

    #[test]
    fn a_confined_child_can_touch_nothing_but_its_pipes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, KEPT).unwrap();
        let probe = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "parse::confine::tests::probe", "--ignored", "--nocapture"])
            .env(FILE, &file)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&probe.stdout);
        let lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("probed ")).collect();
        assert!(probe.status.success() && lines.last() == Some(&"all"), "{probe:?}");
        let let_through: Vec<_> = lines.iter().filter(|line| !line.ends_with("EPERM")).collect();
        assert_eq!(let_through, [&"a thread: 42", &"all"]);
        assert!(lines.len() > 30, "{lines:#?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), KEPT);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Tries what a parser that was taken over would. Each of these is possible, or fails in another way, without a filter.
    #[test]
    #[ignore = "confines its process: the test above runs it in one of its own"]
    fn probe() {
        let path = std::env::var_os(FILE).unwrap();
        let open = File::options().read(true).write(true).open(&path).unwrap();
        let (parent, own) = (std::os::unix::process::parent_id(), std::process::id());
        let path = CString::new(Path::new(&path).as_os_str().as_bytes()).unwrap();
        let other = CString::new([path.as_bytes(), b".other"].concat()).unwrap();
        let program = c"/bin/true";
        let (path, other, program) = (path.as_ptr() as i64, other.as_ptr() as i64, program.as_ptr() as i64);
        let (here, fd, parent) = (
            i64::from(libc::AT_FDCWD),
            i64::from(open.as_raw_fd()),
            i64::from(parent),
        );
        let (write, create) = (i64::from(libc::O_WRONLY), i64::from(libc::O_WRONLY | libc::O_CREAT));
        let forked = i64::from(libc::SIGCHLD);
        // What runs the tests may have begun a line.
        let mut out = std::io::stdout();
        writeln!(out).unwrap();
        super::confine(None);
        let calls: &[(&str, i64, [i64; 5])] = &[
            ("open to read", libc::SYS_openat, [here, path, 0, 0, 0]),
            ("open to write", libc::SYS_openat, [here, path, write, 0, 0]),
            ("create", libc::SYS_openat, [here, other, create, 0o600, 0]),
            ("stat", libc::SYS_newfstatat, [here, path, 0, 0, 0]),
            ("truncate", libc::SYS_truncate, [path, 0, 0, 0, 0]),
            ("truncate what is open", libc::SYS_ftruncate, [fd, 0, 0, 0, 0]),
            ("allocate", libc::SYS_fallocate, [fd, 0, 0, 1 << 20, 0]),
            ("rename", libc::SYS_renameat, [here, path, here, other, 0]),
            ("rename anew", libc::SYS_renameat2, [here, path, here, other, 0]),
            ("link", libc::SYS_linkat, [here, path, here, other, 0]),
            ("symlink", libc::SYS_symlinkat, [path, here, other, 0, 0]),
            ("unlink", libc::SYS_unlinkat, [here, path, 0, 0, 0]),
            ("mkdir", libc::SYS_mkdirat, [here, other, 0o700, 0, 0]),
            (
                "mknod",
                libc::SYS_mknodat,
                [here, other, i64::from(libc::S_IFIFO), 0, 0],
            ),
            ("chmod", libc::SYS_fchmodat, [here, path, 0o777, 0, 0]),
            ("chmod what is open", libc::SYS_fchmod, [fd, 0o777, 0, 0, 0]),
            ("change times", libc::SYS_utimensat, [here, path, 0, 0, 0]),
            ("duplicate", libc::SYS_dup, [fd, 0, 0, 0, 0]),
            ("control a device", libc::SYS_ioctl, [1, 0x5412, 0, 0, 0]),
            ("socket", libc::SYS_socket, [2, 1, 0, 0, 0]),
            ("connect", libc::SYS_connect, [fd, path, 16, 0, 0]),
            ("send", libc::SYS_sendto, [fd, path, 1, 0, 0]),
            ("a ring", libc::SYS_io_uring_setup, [1, path, 0, 0, 0]),
            ("exec", libc::SYS_execve, [program, 0, 0, 0, 0]),
            ("exec at", libc::SYS_execveat, [here, program, 0, 0, 0]),
            ("fork", libc::SYS_clone, [forked, 0, 0, 0, 0]),
            ("kill", libc::SYS_kill, [parent, 0, 0, 0, 0]),
            ("kill a thread", libc::SYS_tkill, [parent, 0, 0, 0, 0]),
            ("kill another's thread", libc::SYS_tgkill, [parent, parent, 0, 0, 0]),
            ("queue a signal", libc::SYS_rt_sigqueueinfo, [parent, 0, path, 0, 0]),
            (
                "queue one to a thread",
                libc::SYS_rt_tgsigqueueinfo,
                [parent, parent, 0, path, 0],
            ),
            ("signal by descriptor", libc::SYS_pidfd_send_signal, [fd, 0, 0, 0, 0]),
            ("trace", libc::SYS_ptrace, [16, parent, 0, 0, 0]),
            (
                "read another's memory",
                libc::SYS_process_vm_readv,
                [parent, 0, 0, 0, 0],
            ),
            ("limit another", libc::SYS_prlimit64, [parent, 7, 0, path, 0]),
            ("limit itself anew", libc::SYS_prlimit64, [0, 7, path, 0, 0]),
            ("add a key", libc::SYS_add_key, [path, path, 0, 0, 0]),
            ("request a key", libc::SYS_request_key, [path, path, 0, 0, 0]),
            ("read keys", libc::SYS_keyctl, [0, -3, 0, 0, 0]),
            (
                "be traced",
                libc::SYS_prctl,
                [i64::from(libc::PR_SET_PTRACER), parent, 0, 0, 0],
            ),
            ("load a program", libc::SYS_bpf, [0, path, 0, 0, 0]),
            ("a namespace", libc::SYS_unshare, [0x1000_0000, 0, 0, 0, 0]),
        ];
        for (name, call, [a, b, c, d, e]) in calls {
            #[expect(
                unsafe_code,
                reason = "no safe code asks for what is to be refused; the pointers are valid or null"
            )]
            let done = unsafe { libc::syscall(*call, *a, *b, *c, *d, *e) };
            let error = Error::last_os_error();
            // A child that came of it after all must not go on as this one.
            if std::process::id() != own {
                std::process::exit(1);
            }
            match (done, error.raw_os_error()) {
                (-1, Some(libc::EPERM)) => writeln!(out, "probed {name}: EPERM").unwrap(),
                _ => writeln!(out, "probed {name}: {done}, {error}").unwrap(),
            }
        }
        let thread = std::thread::Builder::new().name("named".into()).spawn(|| 42).unwrap();
        writeln!(out, "probed a thread: {}\nprobed all", thread.join().unwrap()).unwrap();
        std::process::exit(0);
    }
}
