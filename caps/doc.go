// Package caps is about Linux capabilities as plain values: one capability
// ([Cap]), a set of them ([Set]), what a thread holds ([State]), what a file
// grants ([File]) and what execve(2) makes of the two ([State.Exec]).
//
// # Which function to use
//
// To ask what this thread holds, call [Self], or [Effective] for the set the
// kernel checks. [Threads] asks every thread of a process, since capabilities
// belong to threads, and [Process] the main one. [ReadStatus] and
// [ReadThreads] read from any [io/fs.FS] that looks like /proc, [ParseStatus]
// from bytes. Package guard/audit lists the processes that have capabilities.
//
// To ask what a file grants, call [ReadFile]; [WriteFile], [VerifyFile] and
// [RemoveFile] do what setcap does, and [Scan] what getcap -r does.
//
// To ask what will be held, call [State.Exec] for an execve(2) and
// [State.SetUIDs] for a setuid(2). Both are pure.
//
// To read and print:
//
//	a name, as anybody spells it        ParseCap, Cap.String
//	a list of names                     ParseSet, Set.String
//	a mask of /proc, capsh --decode     ParseMask, Set.Hex, Set.Decode
//	setcap, getcap, getpcaps            ParseText, FormatText, ParseFile, File.String
//	capsh --iab                         ParseIAB, IAB.String
//	OCI, Docker, Kubernetes             ParseNames, Set.OCI, Set.Kubernetes, JSON
//	systemd units                       Set.ParseSystemd, Set.Systemd
//	setpriv                             Set.ParseSetpriv, Set.Setpriv
//
// Nothing is lost on the way: a capability without a name is its number in every
// form. A misspelt name is a [*ParseError] that says where it is and what may
// have been meant.
//
// The package changes nothing but files, imports no C and builds everywhere. What
// cannot be determined is an error, never an empty set. Off Linux the functions
// that ask the kernel return an error that wraps [errors.ErrUnsupported].
package caps
