package caps

import (
	"encoding/binary"
	"fmt"
)

// A File is what the extended attribute security.capability of an executable
// says: what execve adds for whoever runs it. An attribute whose sets are all
// empty is not the same as no attribute: it clears the ambient set.
type File struct {
	Permitted   Set    `json:"permitted"`           // granted, within the bounding set
	Inheritable Set    `json:"inheritable"`         // granted where the caller's inheritable set agrees
	Effective   bool   `json:"effective,omitempty"` // make everything granted effective at once
	RootID      uint32 `json:"rootid,omitempty"`    // v3 only: the root, as the reader's namespace sees it, of the user namespace this is for
	Version     int    `json:"version,omitempty"`   // 1, 2 or 3, as VFS_CAP_REVISION in <linux/capability.h>; 0 lets AppendBinary choose
}

// The layout of struct vfs_cap_data and vfs_ns_cap_data: a little-endian word
// of revision and flags, then permitted and inheritable words in pairs, low
// half first, then for v3 the root id.
const (
	vfsRevisionMask = 0xff000000
	vfsRevisionBit  = 24
	vfsEffective    = 0x000001
)

// vfsSize is the length in bytes of each revision.
var vfsSize = [...]int{1: 12, 2: 20, 3: 24}

// DecodeFile reads the bytes of a security.capability attribute, v1 to v3. As
// in the kernel (get_vfs_caps_from_disk), a length that does not fit the
// revision is an error; flags it does not define are one too.
func DecodeFile(b []byte) (File, error) {
	if len(b) < 4 {
		return File{}, fmt.Errorf("security.capability: %d bytes are too short", len(b))
	}
	magic := binary.LittleEndian.Uint32(b)
	v := int(magic & vfsRevisionMask >> vfsRevisionBit)
	if v < 1 || v >= len(vfsSize) {
		return File{}, fmt.Errorf("security.capability: revision %d is unknown", v)
	}
	if len(b) != vfsSize[v] {
		return File{}, fmt.Errorf("security.capability: revision %d has %d bytes, not %d", v, vfsSize[v], len(b))
	}
	if flags := magic &^ vfsRevisionMask &^ vfsEffective; flags != 0 {
		return File{}, fmt.Errorf("security.capability: flags %#x are unknown", flags)
	}
	word := func(i int) Set { return Set(binary.LittleEndian.Uint32(b[4*i:])) }
	f := File{Version: v, Effective: magic&vfsEffective != 0, Permitted: word(1), Inheritable: word(2)}
	if v > 1 {
		f.Permitted |= word(3) << 32
		f.Inheritable |= word(4) << 32
	}
	if v == 3 {
		f.RootID = uint32(word(5))
	}
	return f, nil
}

// AppendBinary appends the bytes of a security.capability attribute. Version 0
// becomes 3 if there is a root id and otherwise 2. What the version cannot
// hold is an error: a root id before 3, capabilities above 31 in 1. The kernel
// takes only 2 and 3 from setxattr(2) (cap_convert_nscap).
func (f File) AppendBinary(b []byte) ([]byte, error) {
	v := f.Version
	switch {
	case v == 0 && f.RootID == 0:
		v = 2
	case v == 0:
		v = 3
	case v < 0 || v >= len(vfsSize):
		return nil, fmt.Errorf("security.capability: revision %d is unknown", v)
	case v < 3 && f.RootID != 0:
		return nil, fmt.Errorf("security.capability: revision %d has no root id", v)
	case v == 1 && (f.Permitted|f.Inheritable)>>32 != 0:
		return nil, fmt.Errorf("security.capability: revision 1 holds capabilities up to 31")
	}
	magic := uint32(v) << vfsRevisionBit
	if f.Effective {
		magic |= vfsEffective
	}
	le := binary.LittleEndian
	b = le.AppendUint32(b, magic)
	b = le.AppendUint32(b, uint32(f.Permitted))
	b = le.AppendUint32(b, uint32(f.Inheritable))
	if v > 1 {
		b = le.AppendUint32(b, uint32(f.Permitted>>32))
		b = le.AppendUint32(b, uint32(f.Inheritable>>32))
	}
	if v == 3 {
		b = le.AppendUint32(b, f.RootID)
	}
	return b, nil
}

// MarshalBinary returns what [File.AppendBinary] appends.
func (f File) MarshalBinary() ([]byte, error) { return f.AppendBinary(nil) }

// UnmarshalBinary reads what [DecodeFile] reads.
func (f *File) UnmarshalBinary(b []byte) error {
	v, err := DecodeFile(b)
	if err == nil {
		*f = v
	}
	return err
}
