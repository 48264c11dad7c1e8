"""What the measurements ran on: facts a reader needs, and no names of hosts."""
import os
import platform
import re
import subprocess

INSTRUCTIONS = {"avx2": "AVX2", "fma": "FMA", "avx512f": "AVX-512", "avx512_vnni": "AVX512-VNNI",
                "avx_vnni": "AVX-VNNI", "avx512_bf16": "AVX512-BF16", "amx_int8": "AMX-INT8",
                "asimddp": "NEON dot product"}
LSCPU_FIELDS = ("Architecture", "Model name", "CPU family", "Model", "CPU(s)", "Thread(s) per core", "L1d cache",
                "L2 cache", "L3 cache", "Hypervisor vendor")


def output_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def lscpu():
    text = output_of(["env", "LC_ALL=C", "lscpu"])
    return dict(re.findall(r"^([^:\n]+):\s+(.+)$", text, re.MULTILINE))


def has(flag):
    """Whether the CPU has an instruction set, as Linux names it."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as source:
        return re.search(rf"\b{flag}\b", source.read()) is not None


def memory():
    with open("/proc/meminfo", encoding="ascii") as source:
        kilobytes = int(re.search(r"MemTotal:\s+(\d+)", source.read()).group(1))
    return f"{kilobytes / 2**20:.0f} GiB"


def compiler(build):
    try:
        with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
            found = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.+)$", cache.read(), re.MULTILINE)
    except OSError:
        return ""
    return output_of([found.group(1), "--version"]).split("\n")[0] if found else ""


def onednn():
    try:
        with open("/usr/include/oneapi/dnnl/dnnl_version.h", encoding="utf-8") as header:
            return ".".join(re.findall(r"#define DNNL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read()))
    except OSError:
        return ""


def python_versions(python):
    return output_of([python, "-c", "import torch, transformers; "
                      "print(f'PyTorch {torch.__version__}, transformers {transformers.__version__}')"]).strip()


def facts(build, python):
    """Pairs of words and values, those that are known."""
    cpu = lscpu()
    flags = cpu.get("Flags", cpu.get("Features", "")).split()
    pairs = [(field, cpu.get(field, "")) for field in LSCPU_FIELDS]
    pairs += [("Instruction sets", ", ".join(word for flag, word in INSTRUCTIONS.items() if flag in flags)),
              ("Memory", memory()), ("Kernel", f"{platform.system()} {platform.release().split('-')[0]}"),
              ("Compiler", compiler(build)), ("oneDNN", onednn()), ("Rival", python_versions(python))]
    return [(word, value) for word, value in pairs if value]
