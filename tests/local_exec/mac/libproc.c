/* What the macOS code path calls, as libproc.h and sys/resource.h declare it, told from Linux's /proc. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct rusage_info_v4 {
  uint8_t ri_uuid[16];
  uint64_t ri_user_time, ri_system_time, ri_pkg_idle_wkups, ri_interrupt_wkups, ri_pageins;
  uint64_t ri_wired_size, ri_resident_size, ri_phys_footprint;
  uint64_t ri_proc_start_abstime, ri_proc_exit_abstime;
  uint64_t ri_child_user_time, ri_child_system_time, ri_child_pkg_idle_wkups;
  uint64_t ri_child_interrupt_wkups, ri_child_pageins, ri_child_elapsed_abstime;
  uint64_t ri_diskio_bytesread, ri_diskio_byteswritten;
  uint64_t ri_cpu_time_qos_default, ri_cpu_time_qos_maintenance, ri_cpu_time_qos_background;
  uint64_t ri_cpu_time_qos_utility, ri_cpu_time_qos_legacy, ri_cpu_time_qos_user_initiated;
  uint64_t ri_cpu_time_qos_user_interactive, ri_billed_system_time, ri_serviced_system_time;
  uint64_t ri_logical_writes, ri_lifetime_max_phys_footprint, ri_instructions, ri_cycles;
  uint64_t ri_billed_energy, ri_serviced_energy, ri_interval_max_phys_footprint;
  uint64_t ri_runnable_time;
};
struct mach_timebase_info { uint32_t numer, denom; };

/* Ticks of an Apple chip: 24 MHz, 125/3 ns each. */
int mach_timebase_info(struct mach_timebase_info *info) {
  info->numer = 125;
  info->denom = 3;
  return 0;
}

int proc_listchildpids(int ppid, void *buffer, int size) {
  char path[64];
  int count = 0, pid;
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", ppid, ppid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  while (count < size / (int)sizeof(int) && fscanf(file, "%d", &pid) == 1)
    ((int *)buffer)[count++] = pid;
  fclose(file);
  return count;
}

int proc_pid_rusage(int pid, int flavor, void *buffer) {
  struct rusage_info_v4 *info = buffer;
  struct timespec used;
  char path[64], line[256];
  unsigned long kilobytes, highest = 0, files = 0;
  if (flavor != 4 || clock_gettime((clockid_t)((~(unsigned)pid << 3) | 2), &used)) return -1;
  memset(info, 0, sizeof *info);
  info->ri_user_time = (used.tv_sec * 1000000000ull + used.tv_nsec) * 3 / 125;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  if (!file) return -1;
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "RssAnon: %lu kB", &kilobytes) == 1) info->ri_phys_footprint = kilobytes * 1024;
    sscanf(line, "VmHWM: %lu kB", &highest);
    sscanf(line, "RssFile: %lu kB", &files);
  }
  info->ri_lifetime_max_phys_footprint = (highest - files) * 1024;
  fclose(file);
  return 0;
}
