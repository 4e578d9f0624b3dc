package caps

import "iter"

// A Found is a file that has capabilities.
type Found struct {
	Path string
	File File
}

// Scan looks at every regular file below root, a folder or a file, for
// capabilities, in the order of getcap -r. What cannot be read, such as a folder
// that denies it, comes with its path and an error, and the scan goes on.
// Symbolic links are not followed, not even one that appears meanwhile; a root
// that is a link is an error. Other mounts below root are visited, except for
// filesystems that hold no programs, such as proc, sysfs and cgroup. A folder
// whose path below root is too long for the kernel (PATH_MAX, 4096 bytes) is an
// error, which also bounds what a hostile tree can cost.
//
// Folders are read on as many threads as GOMAXPROCS says while the loop body
// runs, large ones in parts; leaving the loop ends them. What is held meanwhile does not
// grow with the number of folders: some thousand are read ahead at most. It takes one system call for each file
// since Linux 6.13 (listxattrat(2) or getxattrat(2)), and three before.
func Scan(root string) iter.Seq2[Found, error] { return scan(root) }
