module github.com/lowport/lowport/caps/drop/testdata/fakecgo

go 1.25.0

require (
	github.com/ebitengine/purego v0.9.1
	github.com/lowport/lowport v0.0.0
)

require (
	golang.org/x/sys v0.47.0 // indirect
	kernel.org/pub/linux/libs/security/libcap/cap v1.2.78 // indirect
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.78 // indirect
)

replace github.com/lowport/lowport => ../../../..
