/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The battery clock, read once at boot. It is read until two readings in a row agree, since it may advance
 * in between.
 */
#include <x86/cpu.h>
#include <x86/vvar.h>

enum {
	CMOS_INDEX = 0x70, CMOS_DATA = 0x71, STATUS_A = 10, STATUS_B = 11, UPDATING = 0x80, BINARY = 4,
	HOURS_24 = 2, PM = 0x80, TRIES = 1000, NR_FIELDS = 6,
};

/* second minute hour day month year */
static const uint8_t field_register[NR_FIELDS] = { 0, 2, 4, 7, 8, 9 };

static uint8_t cmos_read(uint8_t index)
{
	x86_out8(CMOS_INDEX, index | 0x80);	/* NMI off while the index is set */
	return x86_in8(CMOS_DATA);
}

static void fields_read(uint8_t f[NR_FIELDS])
{
	for (unsigned i = 0; i < TRIES && cmos_read(STATUS_A) & UPDATING; i++)
		x86_pause();
	for (unsigned i = 0; i < NR_FIELDS; i++)
		f[i] = cmos_read(field_register[i]);
}

static uint64_t days_before(uint64_t year, unsigned month)
{
	static const uint16_t before[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	uint64_t y = year - 1970, leaps = (year - 1969) / 4;	/* right until 2099 */

	return y * 365 + leaps + before[month - 1] + (month > 2 && year % 4 == 0);
}

nstime_t x86_rtc_read(void)
{
	uint8_t a[NR_FIELDS], b[NR_FIELDS], mode = cmos_read(STATUS_B), pm;
	unsigned same = 0;

	fields_read(a);
	for (unsigned tries = 0; tries < 4 && same < NR_FIELDS; tries++) {
		fields_read(b);
		for (same = 0; same < NR_FIELDS && a[same] == b[same]; same++)
			;
		for (unsigned i = 0; i < NR_FIELDS; i++)
			a[i] = b[i];
	}
	x86_out8(CMOS_INDEX, 0);
	pm = a[2] & PM;
	a[2] &= (uint8_t)~PM;
	for (unsigned i = 0; i < NR_FIELDS && !(mode & BINARY); i++)
		a[i] = (uint8_t)((a[i] >> 4) * 10 + (a[i] & 15));
	if (!(mode & HOURS_24))
		a[2] = (uint8_t)(a[2] % 12 + (pm ? 12 : 0));
	if (a[4] < 1 || a[4] > 12 || a[3] < 1)
		return 0;
	return (((days_before(2000u + a[5], a[4]) + a[3] - 1) * 24 + a[2]) * 60 + a[1]) * 60000000000ull
		+ a[0] * 1000000000ull;
}
