package caps

import (
	"encoding/binary"
	"fmt"
)

// A File is what the extended attribute security.capability of an executable
// says: what execve adds for whoever runs it. An attribute whose sets are all
// empty is not the same as no attribute: it clears the ambient set.
type File struct {
	Permitted   Set    // granted, within the bounding set
	Inheritable Set    // granted where the caller's inheritable set agrees
	Effective   bool   // make everything granted effective at once
	RootID      uint32 // v3 only: the uid, as the initial namespace sees it, whose user namespace this is for
	Version     int    // 1, 2 or 3, as in <linux/capability.h> VFS_CAP_REVISION
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
