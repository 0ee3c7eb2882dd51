//go:build ignore

/* A Modbus slave on libmodbus, for the tests of this folder.
 *
 *   slave tcp PORT          many clients, answers every unit
 *   slave rtu DEVICE UNIT   one unit of a serial line
 *
 * It is ruled by lines on stdin; each is answered by a line on stdout:
 *
 *   holding ADDRESS VALUE...   also input, coil, discrete: set from ADDRESS on
 *   get holding ADDRESS        the value
 *   mode answer | silent       silent reads requests and says nothing
 *   late MS                    answer so much later; 0 = at once
 *   requests                   how many came in so far
 *   quit
 *
 * (The first line keeps the Go tool away: this is no part of a Go package.)
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#define SPACE 10000

static modbus_t *ctx;
static modbus_mapping_t *map;
static int silent, rtu;
static long late_ms, requests;

static void set(const char *table, int at, char *rest)
{
	char *word;
	for (; (word = strtok_r(rest, " \n", &rest)) && at < SPACE; at++) {
		int value = (int)strtol(word, NULL, 0);
		switch (table[0]) {
		case 'h': map->tab_registers[at] = (uint16_t)value; break;
		case 'i': map->tab_input_registers[at] = (uint16_t)value; break;
		case 'c': map->tab_bits[at] = value != 0; break;
		case 'd': map->tab_input_bits[at] = value != 0; break;
		}
	}
}

static int get(const char *table, int at)
{
	switch (table[0]) {
	case 'h': return map->tab_registers[at];
	case 'i': return map->tab_input_registers[at];
	case 'c': return map->tab_bits[at];
	default: return map->tab_input_bits[at];
	}
}

/* command obeys one line; 0 means that it was the last. */
static int command(char *rest)
{
	char *word = strtok_r(rest, " \n", &rest), *arg;
	if (!word || !strcmp(word, "quit"))
		return 0;
	arg = strtok_r(rest, " \n", &rest);
	if (!strcmp(word, "get")) {
		char *at = strtok_r(rest, " \n", &rest);
		printf("%d\n", arg && at ? get(arg, atoi(at)) : -1);
	} else if (!strcmp(word, "requests")) {
		printf("%ld\n", requests);
	} else {
		if (!strcmp(word, "mode"))
			silent = arg && !strcmp(arg, "silent");
		else if (!strcmp(word, "late"))
			late_ms = arg ? atol(arg) : 0;
		else if (arg)
			set(word, atoi(arg), rest);
		printf("ok\n");
	}
	fflush(stdout);
	return 1;
}

/* serve answers one request on the connection; 0 means that it is gone. */
static int serve(int fd)
{
	uint8_t query[MODBUS_MAX_ADU_LENGTH];
	int n;
	if (!rtu)
		modbus_set_socket(ctx, fd);
	n = modbus_receive(ctx, query);
	if (n == -1)
		return rtu; /* noise on a line is no reason to go */
	if (n == 0)
		return 1; /* another unit's */
	requests++;
	if (silent)
		return 1;
	if (late_ms)
		usleep(late_ms * 1000);
	modbus_reply(ctx, query, n, map);
	return 1;
}

static int open_tcp(int port)
{
	ctx = modbus_new_tcp("127.0.0.1", port);
	return ctx ? modbus_tcp_listen(ctx, 16) : -1;
}

static int open_rtu(const char *device, int unit)
{
	rtu = 1;
	ctx = modbus_new_rtu(device, 115200, 'N', 8, 1);
	if (!ctx || modbus_set_slave(ctx, unit) == -1 || modbus_connect(ctx) == -1)
		return -1;
	return modbus_get_socket(ctx);
}

int main(int argc, char **argv)
{
	static char line[1 << 16];
	fd_set all, ready;
	int entry = -1, fd, top;

	if (argc == 3 && !strcmp(argv[1], "tcp"))
		entry = open_tcp(atoi(argv[2]));
	else if (argc == 4 && !strcmp(argv[1], "rtu"))
		entry = open_rtu(argv[2], atoi(argv[3]));
	map = modbus_mapping_new(SPACE, SPACE, SPACE, SPACE);
	if (entry == -1 || !map) {
		fprintf(stderr, "slave: %s\n", modbus_strerror(errno));
		return 1;
	}
	setvbuf(stdin, NULL, _IONBF, 0); /* select must see what fgets would have buffered */
	printf("ready\n");
	fflush(stdout);

	FD_ZERO(&all);
	FD_SET(0, &all);
	FD_SET(entry, &all);
	for (top = entry;;) {
		ready = all;
		if (select(top + 1, &ready, NULL, NULL, NULL) == -1)
			return 1;
		for (fd = 0; fd <= top; fd++) {
			if (!FD_ISSET(fd, &ready))
				continue;
			if (fd == 0) {
				if (!fgets(line, sizeof line, stdin) || !command(line))
					return 0;
			} else if (fd == entry && !rtu) {
				int s = entry, c = modbus_tcp_accept(ctx, &s);
				if (c == -1)
					continue;
				FD_SET(c, &all);
				top = c > top ? c : top;
			} else if (!serve(fd)) {
				close(fd);
				FD_CLR(fd, &all);
			}
		}
	}
}
