// Package caps is about Linux capabilities as plain values: one capability
// ([Cap]), a set of them ([Set]), what a thread holds ([State]), what a file
// grants ([File]) and what execve(2) makes of the two ([State.Exec]).
//
// To ask what this thread holds, call [Self]; [Threads] asks every thread of a
// process, since capabilities belong to threads. [ReadStatus] reads from any
// [io/fs.FS] that looks like /proc, and [ParseStatus] from bytes.
//
// The package changes nothing, imports no C and builds everywhere. Off Linux
// the functions that ask the kernel return an error that wraps
// [errors.ErrUnsupported].
package caps
