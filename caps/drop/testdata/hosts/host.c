/*
 * A C program with threads of its own, which calls DropAll of the Go library and then
 * reads in /proc what every thread holds. It is linked with the library, or loads it
 * from the path that it is given.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef LINKED
extern char *DropAll(void);
#endif

static void *sleeper(void *unused) {
	for (;;) pause();
}

static void *worker(void *unused) {
	for (;;) {
		void *p = malloc(3000);
		usleep(500);
		free(p);
	}
}

static void *once(void *unused) {
	usleep(300);
	return NULL;
}

static void *churn(void *unused) {
	for (;;) {
		pthread_t t;
		if (pthread_create(&t, NULL, once, NULL) == 0) pthread_join(t, NULL);
	}
}

/* empty returns whether a thread holds nothing and has no_new_privs, or has ended. */
static int empty(const char *tid) {
	char path[300], line[256];
	int good = 0, ended = 0;
	snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
	FILE *f = fopen(path, "r");
	if (!f) return 1;
	while (fgets(line, sizeof line, f)) {
		good += !strcmp(line, "CapInh:\t0000000000000000\n") + !strcmp(line, "CapPrm:\t0000000000000000\n") +
			!strcmp(line, "CapEff:\t0000000000000000\n") + !strcmp(line, "CapAmb:\t0000000000000000\n") +
			!strcmp(line, "NoNewPrivs:\t1\n");
		ended |= !strncmp(line, "State:\tX", 8) || !strncmp(line, "State:\tZ", 8);
	}
	ended |= ferror(f); /* ESRCH */
	fclose(f);
	if (!ended && good != 5) printf("thread %s: %d of 5 lines\n", tid, good);
	return ended || good == 5;
}

static void *drop(void *call) {
	return ((char *(*)(void))call)();
}

int main(int argc, char **argv) {
	pthread_t t;
	char *(*call)(void);
	void *error;
	int i, bad = 0, threads = 0;
	for (i = 0; i < 5; i++) {
		bad |= pthread_create(&t, NULL, sleeper, NULL);
		bad |= pthread_create(&t, NULL, worker, NULL);
	}
	bad |= pthread_create(&t, NULL, churn, NULL);
#ifdef LINKED
	call = DropAll;
#else
	void *lib = dlopen(argv[1], RTLD_NOW);
	if (!lib) return printf("%s\n", dlerror()), 1;
	call = (char *(*)(void))dlsym(lib, "DropAll");
#endif
	/* From a thread that Go has not seen. */
	bad |= pthread_create(&t, NULL, drop, (void *)call) || pthread_join(t, &error);
	if (bad) return printf("pthread_create\n"), 1;
	if (error) return printf("%s\n", (char *)error), 1;
	DIR *dir = opendir("/proc/self/task");
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (e->d_name[0] == '.') continue;
		threads++;
		bad |= !empty(e->d_name);
	}
	if (threads < 12) return printf("only %d threads\n", threads), 1;
	return bad;
}
