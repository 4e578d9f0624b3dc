package audit

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"
)

// trees are folders of which every file, however deep, may be what a program of root runs or
// loads next, mapped by a process now or not: programs that others start, libraries and
// plugins such as PAM modules, modules of interpreters, of the kernel, hooks. Who made a
// folder among them for itself, made it here.
var trees = []string{
	"/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/lib", "/lib32", "/lib64", "/libx32",
	"/usr/local/lib", "/usr/local/lib64", "/usr/local/libexec", "/usr/local/share/perl",
	"/usr/share/perl", "/usr/share/perl5", "/usr/share/python3", "/usr/share/nodejs", "/usr/share/ruby", "/usr/share/rubygems-integration",
	"/usr/share/initramfs-tools", "/usr/share/bash-completion", "/usr/share/vim", "/var/lib/gems",
	"/etc/containers", "/etc/initramfs-tools", "/etc/kernel", "/etc/letsencrypt", "/etc/perl", "/etc/python3", "/etc/security", "/etc/vim",
}

const treeAllows = "change what root's programs run or load"

// inTree reports whether a path is that of a tree or of what is in one.
func inTree(name string) bool {
	return slices.ContainsFunc(trees, func(t string) bool { return name == t || strings.HasPrefix(name, t+"/") })
}

// sonames reads the folders of the libraries in /etc/ld.so.cache: struct cache_file_new of
// glibc, in the machine's byte order, perhaps behind an older one.
func sonames(cache []byte) (folders []string) {
	const magic, header, entry = "glibc-ld.so.cache1.1", 48, 24
	start := bytes.Index(cache, []byte(magic))
	if start < 0 || len(cache)-start < header {
		return nil
	}
	cache = cache[start:]
	count := binary.NativeEndian.Uint32(cache[len(magic):])
	for i := range min(int(count), (len(cache)-header)/entry) {
		at := binary.NativeEndian.Uint32(cache[header+i*entry+8:])
		if int64(at) >= int64(len(cache)) {
			continue
		}
		name, _, _ := bytes.Cut(cache[at:], []byte{0})
		if path.IsAbs(string(name)) {
			folders = append(folders, path.Dir(path.Clean(string(name))))
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// searched reads an ld.so.conf(5): the folders, and the patterns of further such files.
func searched(conf []byte) (folders, include []string) {
	for line := range strings.Lines(string(conf)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\r\n:,", c) })
		for i, w := range words {
			switch {
			case path.IsAbs(w) && words[0] == "include":
				include = append(include, path.Clean(w))
			case words[0] == "include" && i > 0:
				include = append(include, path.Join("/etc", w))
			case path.IsAbs(w):
				folders = append(folders, path.Clean(w))
			}
		}
	}
	return folders, include
}

// isSecret reports whether a file of /root/.ssh is a key: what is not known to be none.
func isSecret(name string) bool {
	public := []string{"authorized_keys", "authorized_keys2", "known_hosts", "known_hosts.old", "config", "environment", "rc"}
	return !slices.Contains(public, name) && path.Ext(name) != ".pub"
}
