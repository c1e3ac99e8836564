//! The kernel's error numbers, as in Linux's `errno.h` on every target. A driver runs on wasm32, where libc numbers them
//! differently, but the errors come from a Linux kernel.

macro_rules! reasons {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        $(#[doc = $text]
        pub const $name: i32 = $number;)*

        /// The text of an error number, as in strerror(3).
        pub fn describe(errno: i32) -> String {
            match errno {
                $($name => $text.to_owned(),)*
                // The kernel has more numbers than these, and the host passes all of them on.
                _ => format!("errno {errno}"),
            }
        }
    };
}

reasons! {
    EPERM = 1, "operation not permitted";
    ENOENT = 2, "no such file or directory";
    EIO = 5, "input/output error";
    ENXIO = 6, "no such device or address";
    EAGAIN = 11, "resource temporarily unavailable";
    ENOMEM = 12, "cannot allocate memory";
    EACCES = 13, "permission denied";
    EBUSY = 16, "device or resource busy";
    EEXIST = 17, "file exists";
    ENODEV = 19, "no such device";
    ENOTDIR = 20, "not a directory";
    EISDIR = 21, "is a directory";
    EINVAL = 22, "invalid argument";
    EFBIG = 27, "file too large";
    ENOSPC = 28, "no space left on device";
    EROFS = 30, "read-only file system";
    ERANGE = 34, "numerical result out of range";
    ENAMETOOLONG = 36, "file name too long";
    ENOTEMPTY = 39, "directory not empty";
    ELOOP = 40, "too many levels of symbolic links";
    EOPNOTSUPP = 95, "operation not supported";
    EADDRINUSE = 98, "address already in use";
    EADDRNOTAVAIL = 99, "cannot assign requested address";
    ENETDOWN = 100, "network is down";
    ENETUNREACH = 101, "network is unreachable";
    ECONNRESET = 104, "connection reset by peer";
    ETIMEDOUT = 110, "connection timed out";
    ECONNREFUSED = 111, "connection refused";
    EHOSTUNREACH = 113, "no route to host";
    ESTALE = 116, "stale file handle";
    EDQUOT = 122, "disk quota exceeded";
}
