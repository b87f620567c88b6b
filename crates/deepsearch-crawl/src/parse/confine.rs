//! What a parser child gives up before it reads a page: memory beyond its limit, files, the network, other programs.
//!
//! On Unix no further file descriptor can be opened, hence no file and no socket; on Linux a system-call filter also
//! refuses them by name, with the starting and tracing of programs. Windows has no such limits that safe code can set:
//! there the parent's time limit and the size limits of documents are what holds. macOS may not enforce the memory
//! limit. Nothing here fails: a system that refuses one measure still has the others.

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
    drop(filter_system_calls());
}

#[cfg(not(unix))]
pub(super) fn confine(_memory: Option<u64>) {}

#[cfg(target_os = "linux")]
fn filter_system_calls() -> Result<(), Box<dyn std::error::Error>> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter_all_threads};

    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let refused = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter: BpfProgram = SeccompFilter::new(refused, SeccompAction::Allow, refuse, architecture)?.try_into()?;
    apply_filter_all_threads(&filter)?;
    Ok(())
}

#[cfg(target_os = "linux")]
const REFUSED: &[libc::c_long] = &[
    // the network, and the ring that could do the same unseen
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept4,
    libc::SYS_io_uring_setup,
    // files
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_renameat2,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_mount,
    libc::SYS_memfd_create,
    // other programs and processes
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_kill,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_unshare,
    libc::SYS_setns,
    // the older names, which newer architectures do not have
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_accept,
];
