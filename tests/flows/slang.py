# SPDX-License-Identifier: Apache-2.0
"""slang by pip's pyslang, with all its usual warnings and the extra ones: exit status 1 where there is any. Arguments
are slang's."""
import shlex
import sys

from pyslang.driver import Driver

driver = Driver()
driver.addStandardArgs()
if not (driver.parseCommandLine(shlex.join(["slang", "-Wextra", *sys.argv[1:]])) and driver.processOptions() and driver.parseAllSources()):
    sys.exit("slang: the sources are not read")
driver.reportCompilation(driver.createCompilation(), True)
read = driver.reportDiagnostics(True)
sys.exit(0 if read and driver.diagEngine.numErrors + driver.diagEngine.numWarnings == 0 else 1)
