//go:build linux

package box

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// OwnCgroup is this process's folder in the cgroup v2 hierarchy, "" if there
// is none.
func OwnCgroup() string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	var path string
	for line := range strings.Lines(string(own)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			path = rest
		}
	}
	if path == "" {
		return ""
	}
	for line := range strings.Lines(string(mounts)) {
		left, right, ok := strings.Cut(line, " - ")
		field := strings.Fields(left)
		if ok && strings.HasPrefix(right, "cgroup2 ") && len(field) > 4 && field[3] == "/" {
			return filepath.Join(field[4], path)
		}
	}
	return ""
}

// NewCgroup makes a cgroup below this process's own. A process is started in
// its init folder and commands in its user.slice, as on a booted system: a
// cgroup that hands controllers down may not hold processes itself.
func NewCgroup() (string, error) {
	own := OwnCgroup()
	if own == "" {
		return "", errors.New("no cgroup v2 hierarchy is mounted")
	}
	dir, err := os.MkdirTemp(own, fmt.Sprintf("%s%d-", cgroupPrefix, os.Getpid()))
	if err != nil {
		return "", err
	}
	// MkdirTemp keeps others out; on a machine they may look.
	return dir, errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "user.slice"), 0o755))
}

// cgroupPrefix is what the lab's cgroups begin with; the test's pid follows.
const cgroupPrefix = "lowport-lab-"

// CgroupsOf are the lab's cgroups of the tests whose pid fits.
func CgroupsOf(fits func(pid string) bool) []string {
	var found []string
	dirs, _ := filepath.Glob(filepath.Join(OwnCgroup(), cgroupPrefix+"*"))
	for _, dir := range dirs {
		pid, _, ok := strings.Cut(strings.TrimPrefix(filepath.Base(dir), cgroupPrefix), "-")
		if ok && fits(pid) {
			found = append(found, dir)
		}
	}
	return found
}

// This reports whether a pid is that of this process.
func This(pid string) bool { return pid == fmt.Sprint(os.Getpid()) }

// Ended reports whether nothing runs under a pid.
func Ended(pid string) bool {
	_, err := os.Stat("/proc/" + pid)
	return errors.Is(err, fs.ErrNotExist)
}

// RemoveCgroup removes a cgroup and those below it, whose processes have ended.
func RemoveCgroup(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		err = errors.Join(err, os.Remove(dirs[i]))
	}
	return err
}
